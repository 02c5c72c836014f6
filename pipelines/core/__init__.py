"""What every stage rests on: parameters, artifacts, the contract, the stage runner."""
