"""How good the embedded models are on clean scenes that nobody trained on, and beside what.

`held_out` names the scenes, `intervals` how sure a number is, `goals` what was to be reached.
`segmentation` and `language` measure the models, `probe` and `baselines` what they must beat,
`agreement` what half precision on disk changes, `failures` where they go wrong. `store` keeps the
numbers as CSV, with the digest of the checkpoint that each belongs to.
"""
