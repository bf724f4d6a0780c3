"""What a till asks: quotes, sales, returns, and what it may go by while its line is down. What is where:

an order           orders (what it says) → prices (what it costs), quotes, sales, receipts
a member's money   asked (holds, transfers, adjustments)
what is signed     signing → promises (the prices of a quote), slips (sales without a line)
"""
