pub const TAG: &[u8; 8] = b"QDORDER1";
pub const ORDER_BYTES: usize = 148;
const REDUCE_ONLY: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}

/// Where an order is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    pub program: [u8; 32],
    pub genesis_hash: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub domain: Domain,
    pub market_id: u32,
    pub owner: [u8; 32],
    pub sub_account: u16,
    pub side: Side,
    pub size_lots: u64,
    pub limit_ticks: u64,
    pub fee_cap_ppm: u32,
    pub reduce_only: bool,
    pub expiry_ms: u64,
    pub nonce: u64,
}

/// Why bytes are no order. One order has exactly one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    Length,
    Tag,
    Side,
    Size,
    Limit,
    Flags,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(FormatError::Length)?;
        self.0 = tail;
        Ok(*head)
    }
}

impl Order {
    pub fn encode(&self) -> [u8; ORDER_BYTES] {
        let mut bytes = [0; ORDER_BYTES];
        let mut rest: &mut [u8] = &mut bytes;
        let side = u8::from(self.side == Side::Sell);
        let flags = if self.reduce_only { REDUCE_ONLY } else { 0 };
        for part in [
            TAG.as_slice(),
            &self.domain.program,
            &self.domain.genesis_hash,
            &self.market_id.to_le_bytes(),
            &self.owner,
            &self.sub_account.to_le_bytes(),
            &[side],
            &self.size_lots.to_le_bytes(),
            &self.limit_ticks.to_le_bytes(),
            &self.fee_cap_ppm.to_le_bytes(),
            &[flags],
            &self.expiry_ms.to_le_bytes(),
            &self.nonce.to_le_bytes(),
        ] {
            let (head, tail) = rest.split_at_mut(part.len());
            head.copy_from_slice(part);
            rest = tail;
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() != ORDER_BYTES {
            return Err(FormatError::Length);
        }
        let mut reader = Reader(bytes);
        if reader.take::<8>()? != *TAG {
            return Err(FormatError::Tag);
        }
        let order = Self {
            domain: Domain { program: reader.take()?, genesis_hash: reader.take()? },
            market_id: u32::from_le_bytes(reader.take()?),
            owner: reader.take()?,
            sub_account: u16::from_le_bytes(reader.take()?),
            side: match reader.take::<1>()? {
                [0] => Side::Buy,
                [1] => Side::Sell,
                _ => return Err(FormatError::Side),
            },
            size_lots: u64::from_le_bytes(reader.take()?),
            limit_ticks: u64::from_le_bytes(reader.take()?),
            fee_cap_ppm: u32::from_le_bytes(reader.take()?),
            reduce_only: match reader.take::<1>()? {
                [0] => false,
                [REDUCE_ONLY] => true,
                _ => return Err(FormatError::Flags),
            },
            expiry_ms: u64::from_le_bytes(reader.take()?),
            nonce: u64::from_le_bytes(reader.take()?),
        };
        order.check()
    }

    fn check(self) -> Result<Self, FormatError> {
        if self.size_lots == 0 || i64::try_from(self.size_lots).is_err() {
            return Err(FormatError::Size);
        }
        if self.limit_ticks == 0 {
            return Err(FormatError::Limit);
        }
        Ok(self)
    }
}
