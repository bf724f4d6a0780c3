"""What a till asks: quotes and sales."""
