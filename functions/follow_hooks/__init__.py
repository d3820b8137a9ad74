"""DynamoDB stream → state: fold each stored hook, and tell what it changed."""
