use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{CosignatureError, WitnessVerifier};

/// More than any site needs, and few enough that every subset of them can be looked at.
const WITNESSES_MAX: usize = 12;

/// Which witnesses a log has, and how many of them have to sign: a C2SP `tlog-policy` file.
///
/// Any two sets of witnesses that are enough have one in common. So whoever is refused by enough of
/// them for one log cannot ask the others for a copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    witnesses: Vec<PolicyWitness>,
    quorum: Quorum,
    text: String,
}

/// One witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Checks what it signs.
    pub verifier: WitnessVerifier,
    /// Where it answers: what comes before `/add-checkpoint`.
    pub url: String,
}

/// Which of the witnesses are enough.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quorum {
    /// This one.
    Witness(usize),
    /// So many of these.
    Group(usize, Vec<Self>),
}

impl WitnessPolicy {
    /// The witnesses, in the order of their lines.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether these witnesses, by their places, are enough.
    #[must_use]
    pub fn is_met(&self, signed: &[usize]) -> bool {
        self.quorum.is_met(&|place| signed.contains(&place))
    }
}

impl Quorum {
    fn is_met(&self, has_signed: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Witness(place) => has_signed(*place),
            Self::Group(needed, members) => {
                members.iter().filter(|member| member.is_met(has_signed)).count() >= *needed
            }
        }
    }

    /// Whether two sets of witnesses without a common one could both be enough.
    fn is_split(&self, witnesses: usize) -> bool {
        (0_u32..1 << witnesses).any(|set| {
            let is_in = |place: usize| set & (1 << place) != 0;
            self.is_met(&is_in) && self.is_met(&|place| !is_in(place))
        })
    }
}

/// Its lines, without comments and with one space between words.
impl fmt::Display for WitnessPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for WitnessPolicy {
    type Err = WitnessPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reading = PolicyLines::default();
        for (line, number) in text.lines().zip(1..) {
            let at_line = |fault| WitnessPolicyError::Line { line: number, fault };
            reading.take(line).map_err(at_line)?;
        }
        let quorum = reading.quorum.ok_or(WitnessPolicyError::NoQuorum)?;
        if quorum.is_split(reading.witnesses.len()) {
            return Err(WitnessPolicyError::Split);
        }
        Ok(Self { witnesses: reading.witnesses, quorum, text: reading.text })
    }
}

/// What the lines up to here have said.
#[derive(Default)]
struct PolicyLines {
    witnesses: Vec<PolicyWitness>,
    /// Witnesses and groups that can still be named, once each.
    free: BTreeMap<String, Option<Quorum>>,
    quorum: Option<Quorum>,
    text: String,
}

impl PolicyLines {
    fn take(&mut self, line: &str) -> Result<(), PolicyFault> {
        if !line.chars().all(|char| matches!(char, ' '..='~' | '\t')) {
            return Err(PolicyFault::NotAscii);
        }
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match words[..] {
            [] => return Ok(()),
            [first, ..] if first.starts_with('#') => return Ok(()),
            ["witness", name, key, url] => self.add_witness(name, key, url)?,
            ["witness", _, _] => return Err(PolicyFault::NoUrl),
            ["group", name, needed, ref members @ ..] => self.add_group(name, needed, members)?,
            ["quorum", "none"] => return Err(PolicyFault::NoWitness),
            ["quorum", name] if self.quorum.is_none() => self.quorum = Some(self.name(name)?),
            ["quorum", ..] => return Err(PolicyFault::Quorum),
            _ => return Err(PolicyFault::Unknown),
        }
        self.text += &words.join(" ");
        self.text.push('\n');
        Ok(())
    }

    fn add_witness(&mut self, name: &str, key: &str, url: &str) -> Result<(), PolicyFault> {
        let verifier: WitnessVerifier = key.parse().map_err(PolicyFault::Key)?;
        if self.witnesses.len() == WITNESSES_MAX {
            return Err(PolicyFault::Many);
        }
        if self.witnesses.iter().any(|witness| witness.verifier.is_same_key(&verifier)) {
            return Err(PolicyFault::Twice { name: name.to_owned() });
        }
        let place = self.witnesses.len();
        self.witnesses.push(PolicyWitness { verifier, url: url.to_owned() });
        self.define(name, Quorum::Witness(place))
    }

    fn add_group(&mut self, name: &str, needed: &str, members: &[&str]) -> Result<(), PolicyFault> {
        let needed = match needed {
            "any" => 1,
            "all" => members.len(),
            number => number.parse().map_err(|_| PolicyFault::Threshold)?,
        };
        if needed == 0 || needed > members.len() {
            return Err(PolicyFault::Threshold);
        }
        let members = members.iter().map(|member| self.name(member)).collect::<Result<_, _>>()?;
        self.define(name, Quorum::Group(needed, members))
    }

    fn define(&mut self, name: &str, quorum: Quorum) -> Result<(), PolicyFault> {
        if name == "none" || self.free.contains_key(name) {
            return Err(PolicyFault::Twice { name: name.to_owned() });
        }
        self.free.insert(name.to_owned(), Some(quorum));
        Ok(())
    }

    /// Whoever is a member somewhere is none elsewhere.
    fn name(&mut self, name: &str) -> Result<Quorum, PolicyFault> {
        let named = self.free.get_mut(name).and_then(Option::take);
        named.ok_or_else(|| PolicyFault::NotFree { name: name.to_owned() })
    }
}

/// Why a text says nothing of witnesses that could be relied upon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessPolicyError {
    /// A line that cannot be taken.
    #[error("line {line}: {fault}")]
    Line {
        /// Its number, from 1.
        line: u32,
        /// What is wrong with it.
        fault: PolicyFault,
    },
    /// Nobody is said to be enough.
    #[error("no line says which witnesses are enough: `quorum NAME`")]
    NoQuorum,
    /// Two copies of a log could both be signed for.
    #[error(
        "two sets of witnesses that have none in common would both be enough, so a copy of the log \
         could be signed for by the others: ask for more than half of them"
    )]
    Split,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// It is to be read and signed by people.
    #[error("only printable ASCII can stand here")]
    NotAscii,
    /// None that is needed here.
    #[error(
        "the lines are `witness NAME KEY URL`, `group NAME any|all|NUMBER NAME..` and `quorum NAME`"
    )]
    Unknown,
    /// Nobody could be asked.
    #[error("no URL says where this witness answers")]
    NoUrl,
    /// Without a witness no policy is needed.
    #[error("`quorum none` asks no witness: leave the file out")]
    NoWitness,
    /// A second one.
    #[error("one line says which witnesses are enough, with one name")]
    Quorum,
    /// No verifier key.
    #[error("{0}")]
    Key(CosignatureError),
    /// A name or a key that stands above.
    #[error("{name} stands above already, by its name or its key")]
    Twice {
        /// The name.
        name: String,
    },
    /// Not above, or a member of a group already.
    #[error("{name} is defined on no line above, or is named there already")]
    NotFree {
        /// The name.
        name: String,
    },
    /// Not a number of members.
    #[error("how many of its members a group needs is `any`, `all`, or a number from 1 to theirs")]
    Threshold,
    /// More than are looked at.
    #[error("{WITNESSES_MAX} witnesses are the most")]
    Many,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WitnessKey;

    fn key(number: u8) -> String {
        let name = format!("witness.example/w{number}").parse().unwrap();
        WitnessKey::new(&name, &[number; 32]).verifier().to_string()
    }

    fn witness(number: u8) -> String {
        format!("witness w{number} {} http://w{number}.example\n", key(number))
    }

    fn three(rest: &str) -> Result<WitnessPolicy, WitnessPolicyError> {
        let witnesses: String = (1..=3).map(witness).collect();
        format!("# ours\n\n{witnesses}{rest}").parse()
    }

    #[test]
    fn a_quorum_is_met_by_enough_of_its_witnesses() {
        let policy = three("group q 2 w1 w2 w3\nquorum  q\n").unwrap();
        assert_eq!(policy.witnesses().len(), 3);
        assert!(policy.is_met(&[0, 2]) && policy.is_met(&[0, 1, 2]));
        assert!(!policy.is_met(&[1]) && !policy.is_met(&[]));
        let text = policy.to_string();
        assert!(text.starts_with("witness w1 ") && text.ends_with("\nquorum q\n"), "{text}");
        assert_eq!(text.parse(), Ok(policy));
        let nested = three("group a any w2 w3\ngroup q all w1 a\nquorum q\n").unwrap();
        assert!(nested.is_met(&[0, 2]) && !nested.is_met(&[1, 2]));
    }

    #[test]
    fn two_halves_are_never_both_enough() {
        for rest in ["group q any w1 w2 w3\nquorum q", "group q 1 w2 w3\nquorum q"] {
            assert_eq!(three(rest), Err(WitnessPolicyError::Split), "{rest}");
        }
        assert!(three("quorum w2").is_ok());
    }

    #[test]
    fn a_line_that_cannot_be_taken_is_named() {
        let fault = |rest: &str| match three(rest).unwrap_err() {
            WitnessPolicyError::Line { line, fault } => (line, fault),
            error => panic!("{error}"),
        };
        let name = |name: &str| name.to_owned();
        let (two, again) =
            (format!("witness w1 {} http://a", key(4)), witness(1).replace("w1 ", "w9 "));
        for (rest, expected) in [
            ("quorum none", PolicyFault::NoWitness),
            ("quorum w4", PolicyFault::NotFree { name: name("w4") }),
            ("group q 4 w1 w2 w3", PolicyFault::Threshold),
            ("group q 0 w1", PolicyFault::Threshold),
            ("group q all w1 w1", PolicyFault::NotFree { name: name("w1") }),
            ("group none all w1", PolicyFault::Twice { name: name("none") }),
            ("log x", PolicyFault::Unknown),
            ("witness w4 x", PolicyFault::NoUrl),
            ("witness w4 x http://a", PolicyFault::Key(CosignatureError::Malformed)),
            ("quorum w1\u{202e}", PolicyFault::NotAscii),
            (&two, PolicyFault::Twice { name: name("w1") }),
            (&again, PolicyFault::Twice { name: name("w9") }),
        ] {
            assert_eq!(fault(rest), (6, expected), "{rest}");
        }
        assert_eq!(
            three("quorum w1\nquorum w2").unwrap_err().to_string(),
            format!("line 7: {}", PolicyFault::Quorum)
        );
        assert_eq!(three(""), Err(WitnessPolicyError::NoQuorum));
    }
}
