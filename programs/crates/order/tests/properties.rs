use order::{Domain, Fill, FillError, Order, Side, ORDER_BYTES};
use proptest::prelude::*;

prop_compose! {
    fn orders()(
        program: [u8; 32], genesis_hash: [u8; 32], owner: [u8; 32], market_id: u32, sub_account: u16, sell: bool, size_lots in 1..=i64::MAX as u64,
        limit_ticks in 1..=u64::MAX, rest: (u32, bool, u64, u64),
    ) -> Order {
        let (fee_cap_ppm, reduce_only, expiry_ms, nonce) = rest;
        Order {
            domain: Domain { program, genesis_hash }, market_id, owner, sub_account, side: if sell { Side::Sell } else { Side::Buy },
            size_lots, limit_ticks, fee_cap_ppm, reduce_only, expiry_ms, nonce,
        }
    }
}

proptest! {
    #[test]
    fn it_reads_back_what_it_writes(order in orders()) {
        prop_assert_eq!(Order::decode(&order.encode()), Ok(order));
    }

    #[test]
    fn it_has_one_encoding_for_one_order(bytes in prop::collection::vec(any::<u8>(), ORDER_BYTES), tagged: bool) {
        let mut bytes = bytes;
        if tagged {
            bytes[..8].copy_from_slice(order::TAG);
            bytes[110] &= 1;
            bytes[131] &= 1;
        }
        if let Ok(order) = Order::decode(&bytes) {
            prop_assert_eq!(order.encode().to_vec(), bytes);
        }
    }

    #[test]
    fn it_never_fills_more_than_was_signed(order in orders(), filled in any::<u64>(), size in 1u64..) {
        let fill = Fill {
            domain: order.domain, market_id: order.market_id, size_lots: size, price_ticks: order.limit_ticks, fee_atoms: i64::MIN,
            time_ms: 0, filled_lots: filled, position_lots: 0,
        };
        prop_assume!(order.expiry_ms > 0 && !order.reduce_only);
        let fits = u128::from(filled) + u128::from(size) <= u128::from(order.size_lots);
        let overfilled = order.allow(&fill, 1) == Err(FillError::Overfilled);
        prop_assert_eq!(overfilled, !fits);
    }
}
