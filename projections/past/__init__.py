"""An index of the past of projects: what they had when, without contents and personal data."""
