"""Export of fitted estimators to ONNX and torch.export."""

from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.onnx_file import to_onnx
from sklearn_tree.export.torch_file import to_torch_export

__all__ = ["NotExportableError", "to_onnx", "to_torch_export"]
