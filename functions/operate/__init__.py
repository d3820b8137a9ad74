"""What people look at and decide: parked comprobantes, errors, incidents. The command line is its thin client."""
