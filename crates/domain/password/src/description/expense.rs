//! What a description asks for, before anything is computed.

use super::{
    fields::Fields,
    run::{number, scrypt_costs},
    step::{Count, HashStep, Operand, Slow, Special},
};
use crate::{
    CostLimits, HashCost,
    limits::{BCRYPT_COSTS, DIGEST_BYTES_MAX},
    native::md5_crypt::ROUNDS as MD5_CRYPT_ROUNDS,
};

/// Whether the steps ask for more than the caps allow; `None` if a cost is missing or impossible.
pub(super) fn over(steps: &[HashStep], fields: &Fields, limits: &CostLimits) -> Option<bool> {
    Expense { fields, limits, times: 1 }.any_over(steps)
}

/// What the dearest of these steps costs.
pub(super) fn cost(steps: &[HashStep], fields: &Fields) -> HashCost {
    let slow = steps.iter().find_map(|step| slow_cost(step, fields));
    let is_digest = |step: &HashStep| {
        !matches!(
            step,
            HashStep::Text(_) | HashStep::Encode(_) | HashStep::Decode(_) | HashStep::Bare
        )
    };
    let fast = if steps.iter().any(is_digest) { HashCost::Digest } else { HashCost::Plain };
    slow.unwrap_or(fast)
}

fn slow_cost(step: &HashStep, fields: &Fields) -> Option<HashCost> {
    let cost = |count: &Count| number(count, fields);
    match step {
        HashStep::Slow(Slow::Pbkdf2 { digest, iterations, .. }) => {
            let (digest_bytes, iterations) = (digest.len(), cost(iterations)?);
            Some(HashCost::Pbkdf2 { digest_bytes, iterations })
        }
        HashStep::Slow(Slow::Scrypt { costs, .. }) => {
            let [log_n, r, p] = scrypt_costs(costs, fields)?;
            Some(HashCost::Scrypt { log_n: u32::try_from(log_n).ok()?, r, p })
        }
        HashStep::Slow(Slow::Argon2 { costs: [memory_kib, passes, lanes], .. }) => {
            let (memory_kib, passes, lanes) = (cost(memory_kib)?, cost(passes)?, cost(lanes)?);
            Some(HashCost::Argon2 { memory_kib, passes, lanes })
        }
        HashStep::Slow(Slow::Bcrypt { cost: count, .. }) => {
            Some(HashCost::Bcrypt { cost: u32::try_from(cost(count)?).ok()? })
        }
        HashStep::Times(count, steps) => {
            let inner = steps.iter().find_map(|step| slow_cost(step, fields));
            inner.or_else(|| Some(HashCost::Rounds(cost(count)?)))
        }
        HashStep::Special(Special::Md5Crypt { .. }) => {
            Some(HashCost::Rounds(MD5_CRYPT_ROUNDS.into()))
        }
        _ => None,
    }
}

/// How often steps are done, and what they may cost together.
struct Expense<'e> {
    fields: &'e Fields,
    limits: &'e CostLimits,
    times: u64,
}

impl Expense<'_> {
    /// Each step is looked at: one that is impossible says more than one that is too dear.
    fn any_over(&self, steps: &[HashStep]) -> Option<bool> {
        let mut is_over = false;
        for step in steps {
            is_over |= self.is_over(step)?;
        }
        Some(is_over)
    }

    fn is_over(&self, step: &HashStep) -> Option<bool> {
        let mut is_over = match step {
            HashStep::Times(count, steps) => return self.repeated(count, steps),
            HashStep::Slow(slow) => self.is_slow_over(slow)?,
            _ => false,
        };
        for operand in step.operands() {
            is_over |= self.is_operand_over(operand)?;
        }
        Some(is_over)
    }

    fn is_operand_over(&self, operand: &Operand) -> Option<bool> {
        match operand {
            Operand::Piped(inner, steps) => {
                Some(self.is_operand_over(inner)? | self.any_over(steps)?)
            }
            _ => Some(false),
        }
    }

    /// Steps within others are done as often as all of these together.
    fn repeated(&self, count: &Count, steps: &[HashStep]) -> Option<bool> {
        let times = self.times.saturating_mul(self.positive(count)?);
        let inner = Self { times, ..*self };
        Some(times > self.limits.digest_rounds_max.into() || inner.any_over(steps)?)
    }

    fn is_slow_over(&self, slow: &Slow) -> Option<bool> {
        let is_dear = self.is_dear(slow)?;
        let len = match slow.len() {
            Some(len) => number(len, self.fields)?,
            None => 0,
        };
        Some(is_dear || len > DIGEST_BYTES_MAX as u64)
    }

    fn is_dear(&self, slow: &Slow) -> Option<bool> {
        let limits = self.limits;
        let all = |number: u64| number.saturating_mul(self.times);
        Some(match slow {
            Slow::Pbkdf2 { iterations, .. } => {
                all(self.positive(iterations)?) > limits.pbkdf2_iterations_max.into()
            }
            Slow::Scrypt { costs, .. } => {
                let [log_n, r, p] = scrypt_costs(costs, self.fields)?;
                if log_n == 0 || r == 0 || p == 0 {
                    return None;
                }
                log_n > limits.scrypt_log_n_max.into()
                    || r > limits.scrypt_r_max.into()
                    || all(p) > limits.scrypt_p_max.into()
            }
            Slow::Argon2 { costs: [memory_kib, passes, lanes], .. } => {
                self.positive(memory_kib)? > limits.argon2_memory_kib_max.into()
                    || all(self.positive(passes)?) > limits.argon2_passes_max.into()
                    || self.positive(lanes)? > limits.argon2_lanes_max.into()
            }
            Slow::Bcrypt { cost, .. } => {
                let cost = u32::try_from(self.positive(cost)?).ok()?;
                BCRYPT_COSTS.contains(&cost).then_some(())?;
                all(1 << cost) > 1 << limits.bcrypt_cost_max.min(*BCRYPT_COSTS.end())
            }
        })
    }

    fn positive(&self, count: &Count) -> Option<u64> {
        number(count, self.fields).filter(|number| *number > 0)
    }
}

impl Slow {
    /// How many bytes it gives, where that is not always the same.
    const fn len(&self) -> Option<&Count> {
        match self {
            Self::Pbkdf2 { len, .. } | Self::Scrypt { len, .. } | Self::Argon2 { len, .. } => {
                Some(len)
            }
            Self::Bcrypt { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Description;

    fn expense(steps: &str) -> Option<bool> {
        let description = Description::parse(&format!("<hash:hex> := {steps}")).unwrap();
        over(&description.steps, &Fields::default(), &CostLimits::default())
    }

    #[test]
    fn what_is_done_often_costs_as_often() {
        assert_eq!(expense("times(1000,(md5))"), Some(false));
        assert_eq!(expense("times(10000,(times(10000,(md5))))"), Some(true));
        assert_eq!(expense("concat((pw|times(10000,(times(10000,(md5))))),_)|md5"), Some(true));
        assert_eq!(expense("times(1000,(pbkdf2-sha1(pw,10000,20)))"), Some(false));
        assert_eq!(expense("times(1001,(pbkdf2-sha1(pw,10000,20)))"), Some(true));
        assert_eq!(expense("times(2,(argon2id(pw,64,10,1,32)))"), Some(true));
        assert_eq!(expense("times(2,(bcrypt(15,pw)))"), Some(true));
        assert_eq!(expense("times(11,(scrypt(pw,16,8,1,32)))"), Some(true));
    }

    #[test]
    fn nothing_gives_more_than_the_longest_digest() {
        assert_eq!(expense("pbkdf2-sha1(pw,1,256)"), Some(false));
        assert_eq!(expense("pbkdf2-sha1(pw,1,257)|md5"), Some(true));
    }

    #[test]
    fn costs_that_are_none_are_no_costs() {
        assert_eq!(expense("pbkdf2-sha1(pw,0,20)"), None);
        assert_eq!(expense("pbkdf2-sha1(pw,n,20)"), None);
        assert_eq!(expense("pbkdf2-sha1(pw,1,l)"), None);
        assert_eq!(expense("bcrypt(99,pw)"), None);
        assert_eq!(expense("times(0,(md5))"), None);
        assert_eq!(expense("scrypt(pw,15,8,1,32)"), None);
    }
}
