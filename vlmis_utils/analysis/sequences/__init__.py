"""Results of studies of sequences: measures over time with intervals over drives, and aggregation.

The drive is the unit: every number is a mean over drives, and a resample draws whole drives.
"""
