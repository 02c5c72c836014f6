"""The shared train stage: named fits that reproduce and resume, and the weights they leave."""
