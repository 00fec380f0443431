"""Export of fitted estimators to ONNX."""

from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.onnx_file import to_onnx

__all__ = ["NotExportableError", "to_onnx"]
