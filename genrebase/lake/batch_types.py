"""Convert the batches of the drivers to the types of our columns.."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_MICROSECONDS: Final = pa.timestamp("us")


def as_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of a driver with the types and names of `schema`.

    SQLite has booleans as 0 and 1, and times as text. Raises `pyarrow.ArrowInvalid` for a value
    that its type cannot hold, such as a fraction in a column of integers.
    """
    arrays = [
        _as_type(array, field.type) for array, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _as_type(array: pa.Array, data_type: pa.DataType) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if data_type == TIMESTAMP and pa.types.is_string(array.type):
        return pc.assume_timezone(array.cast(_MICROSECONDS), "UTC")
    return array if array.type == data_type else array.cast(data_type)
