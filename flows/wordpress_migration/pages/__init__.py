"""The outside pages of the migration: locators named by the guide's words, and the few verbs one sentence hides."""
