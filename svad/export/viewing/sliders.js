// What each slider moves; svad/export/sliders.py reads the same table, so all after the first brace is JSON.
// "joints": joint, axis, share of the slider's degrees, and whether the axis is the joint's own or its parent's.
// "up", "down": the expressions of values above and below zero. "without": joints that move where there is no such expression.
export const SLIDERS = {
  "turn": {"title": "Turn head", "least": -60, "most": 60,
    "joints": [["neck", "y", 0.4, "own"], ["head", "y", 0.6, "own"]]},
  "nod": {"title": "Nod", "least": -30, "most": 30,
    "joints": [["neck", "x", 0.4, "own"], ["head", "x", 0.6, "own"]]},
  "arms": {"title": "Arms", "least": -40, "most": 130,
    "joints": [["left_collar", "z", 0.2, "parent"], ["left_shoulder", "z", 0.8, "parent"],
      ["right_collar", "z", -0.2, "parent"], ["right_shoulder", "z", -0.8, "parent"]]},
  "left_arm": {"title": "Left arm", "least": -40, "most": 130,
    "joints": [["left_collar", "z", 0.2, "parent"], ["left_shoulder", "z", 0.8, "parent"]]},
  "right_arm": {"title": "Right arm", "least": -40, "most": 130,
    "joints": [["right_collar", "z", -0.2, "parent"], ["right_shoulder", "z", -0.8, "parent"]]},
  "jaw": {"title": "Jaw", "least": 0, "most": 1,
    "up": ["jawOpen"], "down": [], "without": [["jaw", "x", 20, "own"]]},
  "brows": {"title": "Brows", "least": -1, "most": 1,
    "up": ["browInnerUp", "browOuterUpLeft", "browOuterUpRight"], "down": ["browDownLeft", "browDownRight"]},
  "smile": {"title": "Smile", "least": -1, "most": 1,
    "up": ["mouthSmileLeft", "mouthSmileRight"], "down": ["mouthFrownLeft", "mouthFrownRight"]}
};
