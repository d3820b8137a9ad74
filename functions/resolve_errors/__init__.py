"""Step Functions tasks → what a careful clerk would do about the errors of one cuenta, in their order."""
