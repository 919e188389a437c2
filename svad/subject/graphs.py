"""Graphs of mediapipe's parts that its ready solutions do not offer: all people, one at a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig

FIND_PEOPLE = """
input_stream: "image"
output_stream: "detections"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:detections"
}
"""

POSE_AT_PLACE = """
input_stream: "image"
input_stream: "place"
output_stream: "pose_landmarks"
output_stream: "pose_world_landmarks"
output_stream: "segmentation_mask"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:0:complexity"
  output_side_packet: "PACKET:1:mask"
  node_options: {
    [type.googleapis.com/mediapipe.ConstantSidePacketCalculatorOptions]: {
      packet { int_value: 1 }
      packet { bool_value: true }
    }
  }
}
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_side_packet: "ENABLE_SEGMENTATION:mask"
  input_stream: "IMAGE:image"
  input_stream: "ROI:place"
  output_stream: "LANDMARKS:pose_landmarks"
  output_stream: "WORLD_LANDMARKS:pose_world_landmarks"
  output_stream: "SEGMENTATION_MASK:segmentation_mask"
}
"""


def solution(text: str) -> Any:
    """A graph as mediapipe's own solutions are made of; it answers to `process`."""
    from google.protobuf import text_format
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
    from mediapipe.python.solution_base import SolutionBase

    config: CalculatorGraphConfig = CalculatorGraphConfig()
    text_format.Parse(text, config)
    return SolutionBase(graph_config=config)


def place_of(x: float, y: float, width: float, height: float, turn: float) -> Any:
    """A turned rectangle; centre and sides are shares of the picture, `turn` is in radians."""
    from mediapipe.framework.formats.rect_pb2 import NormalizedRect

    return NormalizedRect(x_center=x, y_center=y, width=width, height=height, rotation=turn)
