"""What the ablations of all approaches share: variants, resumable work, cached results, claims and tables."""
