"""Codes that customers are given: coupons, referrals and giveaways."""
