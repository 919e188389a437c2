"""The compiled loops of the CPU rasteriser.

Tile-based alpha compositing of 3D Gaussians (Kerbl et al. 2023, section 6) with the conventions of
gsplat 1.5.3: splats are projected (`projection`), sorted into the tiles that they touch (`tiles`)
and drawn tile by tile (`drawing`); gradients go the same way back (`drawing_backward`,
`projection_backward`). A finished picture is laid over what stands behind it (`backdrop`).

Letters: N splats, M visible ones, I (splat, tile) pairs, C channels, P = TILE pixels of a tile.
Every kernel works on a range of its outermost loop, releases the interpreter lock and writes only
its own part, so that any number of threads gives the same bits.

How the inner loops stay vectorised: a tile is 8 pixels wide, so the rows that a splat touches are
one contiguous run of the tile's planes; there are no branches and no indices that could be
negative; e^-s is a polynomial; all planes of a tile lie in one scratch buffer.
"""
