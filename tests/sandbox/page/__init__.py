"""A local page that stands in for CloudWatch's console: the deployed widget, and the figures of the dashboards."""
