"""The compiled loops of `svad.body.skin_fast`: joints and points of one pose, and their gradients.

Letters: J joints, N points, K joints of a point, P parts. The table of a pose has twenty numbers a
joint: the real and dual part of its dual quaternion (4 + 4) and its affine transform row by row
(12), as in `svad.body.skin`. Every kernel on points works on whole parts and writes only its own,
so that any number of threads gives the same bits.
"""
