"""Segmentation models under test: a checkpoint becomes a function from images to label maps.

Public checkpoints and the embedded ones load by the same code: DeepLabV3+ through
`models.segmentation.deeplab`, the others through transformers with their own image processor. An
image is segmented whole, or window by window where the catalogue says so; scores are upsampled
bilinearly to the image's size before the greatest is taken.
"""
