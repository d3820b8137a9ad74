"""The console inside a CloudWatch dashboard: a custom widget, thin as the command line. It asks the same orders."""
