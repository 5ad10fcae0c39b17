use crate::MathError;

/// Divide, rounding towards minus infinity; the divisor is positive.
pub fn floor_div(numerator: i128, denominator: i128) -> Result<i128, MathError> {
    if denominator <= 0 {
        return Err(MathError::DivisionByZero);
    }
    numerator.checked_div_euclid(denominator).ok_or(MathError::Overflow)
}

/// Divide, rounding towards plus infinity; the divisor is positive.
pub fn ceil_div(numerator: i128, denominator: i128) -> Result<i128, MathError> {
    let negated = numerator.checked_neg().ok_or(MathError::Overflow)?;
    floor_div(negated, denominator)?.checked_neg().ok_or(MathError::Overflow)
}

/// Return a x b / c rounded down. The product may not pass 128 bits.
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Result<u128, MathError> {
    let product = a.checked_mul(b).ok_or(MathError::Overflow)?;
    product.checked_div(c).ok_or(MathError::DivisionByZero)
}

/// Return a x b / c rounded up. The product may not pass 128 bits.
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Result<u128, MathError> {
    let product = a.checked_mul(b).ok_or(MathError::Overflow)?;
    let quotient = product.checked_div(c).ok_or(MathError::DivisionByZero)?;
    let exact = product.checked_rem(c) == Some(0);
    if exact {
        Ok(quotient)
    } else {
        quotient.checked_add(1).ok_or(MathError::Overflow)
    }
}
