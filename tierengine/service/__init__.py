"""What is owed to members and what they may claim: duties and entitlements."""
