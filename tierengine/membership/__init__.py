"""Who there is and how he stands: people, stores, members, their reasons, lists to work on."""
