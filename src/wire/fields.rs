//! Fields in wire format. Most numbers fit into one byte, which prost's functions do not know.

use prost::encoding::{WireType, encode_varint};

/// Writes the key of a field.
#[inline]
pub(super) fn write_key(number: u32, wire_type: WireType, out: &mut Vec<u8>) {
    write_varint(u64::from(number << 3 | wire_type as u32), out);
}

/// Writes a number.
#[inline]
pub(super) fn write_varint(number: u64, out: &mut Vec<u8>) {
    match number {
        0..0x80 => out.push(number as u8),
        _ => encode_varint(number, out),
    }
}
