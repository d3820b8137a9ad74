"""Step Functions tasks: do about errors what a careful clerk would."""
