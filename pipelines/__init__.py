"""What all domains of SciStage share; knows no domain by name."""
