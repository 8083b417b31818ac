"""A naive, independent reference (test oracle) for the estimates (待遇测算)."""
