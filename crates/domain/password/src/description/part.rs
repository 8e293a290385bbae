//! Whether the password has a part in what is compared: otherwise every password would match, or none.

use super::step::{HashStep, Operand, Slow, Special};

/// Whether what the steps give depends on the password, as far as they tell by themselves.
pub(super) fn has_part(steps: &[HashStep]) -> bool {
    steps.iter().fold(true, after)
}

/// Whether some bytes of what they work on may be dropped, which may be all that depend on the password.
pub(super) fn may_drop(steps: &[HashStep]) -> bool {
    steps.iter().any(|step| match step {
        HashStep::First(_) | HashStep::Before(_) | HashStep::After(_) => true,
        HashStep::Times(_, steps) => may_drop(steps),
        _ => false,
    })
}

/// Each text with a place for the password.
pub(super) fn templates(steps: &[HashStep]) -> Vec<&Operand> {
    let templates = steps.iter().flat_map(|step| match step {
        HashStep::Template(operand) => vec![operand],
        HashStep::Times(_, steps) => templates(steps),
        _ => Vec::new(),
    });
    templates.collect()
}

/// Whether it does after one more step.
fn after(running: bool, step: &HashStep) -> bool {
    let has = |operand: &Operand| has_operand(operand, running);
    match step {
        HashStep::Concat(operands) => operands.iter().any(has),
        HashStep::First(0) => false,
        HashStep::Times(_, steps) => steps.iter().fold(running, after),
        HashStep::Hmac(_, operand)
        | HashStep::Keyed(_, operand)
        | HashStep::Special(Special::Aes256Ctr(operand)) => running || has(operand),
        HashStep::Special(Special::Md5Crypt { salt, magic }) => running || has(salt) || has(magic),
        HashStep::Slow(
            Slow::Pbkdf2 { salt, .. }
            | Slow::Scrypt { salt, .. }
            | Slow::Argon2 { salt, .. }
            | Slow::Bcrypt { salt, .. },
        ) => running || has(salt),
        _ => running,
    }
}

fn has_operand(operand: &Operand, running: bool) -> bool {
    match operand {
        Operand::Running => running,
        Operand::Password => true,
        Operand::Piped(inner, steps) => steps.iter().fold(has_operand(inner, running), after),
        Operand::Named(_) | Operand::Key | Operand::Literal(_) => false,
    }
}
