/// SHA-256 by the runtime.
pub struct Runtime;

impl merkle::Sha256 for Runtime {
    fn digest(parts: &[&[u8]]) -> [u8; 32] {
        solana_sha256_hasher::hashv(parts).to_bytes()
    }
}
