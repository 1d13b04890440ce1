"""Codes that customers are given: coupons, referrals, giveaways."""
