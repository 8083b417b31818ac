"""基础 (kernel): money, days, errors, settings, database: what every capability stands on."""
