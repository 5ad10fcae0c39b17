// CRC-32 (IEEE 802.3, reflected), as zlib computes it, over ASCII text.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Return the checksum as an unsigned 32-bit number. */
export function crc32(text) {
  let value = 0xffffffff;
  for (let at = 0; at < text.length; at += 1) value = (value >>> 8) ^ TABLE[(value ^ text.charCodeAt(at)) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}
