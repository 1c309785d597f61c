"""Model card, exports, plots."""
