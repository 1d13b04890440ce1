"""What every other folder of the sandbox stands on."""
