//! DES as crypt(3) bends it: the salt exchanges bits within each round, and the whole is repeated.
//!
//! The tables are those of FIPS 46-3; bits are counted from the highest, which is 1.

/// The keys of the sixteen rounds.
pub(super) struct DesKeys([HalfBlocks; 16]);

/// 48 bits in two halves.
#[derive(Clone, Copy, Default)]
struct HalfBlocks {
    high: u32,
    low: u32,
}

impl DesKeys {
    /// Of a key of 64 bits, the last of every eight being unused.
    pub(super) fn of(key: u64) -> Self {
        let chosen = permuted(key, 64, &KEY_CHOICE);
        let (mut high, mut low) = halves(chosen, 28);
        let mut keys = [HalfBlocks::default(); 16];
        for (keys, turns) in keys.iter_mut().zip(TURNS) {
            (high, low) = (turned(high, turns), turned(low, turns));
            let joined = u64::from(high) << 28 | u64::from(low);
            let (high, low) = halves(permuted(joined, 56, &ROUND_KEY_CHOICE), 24);
            *keys = HalfBlocks { high, low };
        }
        Self(keys)
    }

    /// Encrypts so many times. The lowest bit of the salt exchanges bits 1 and 25 of what is mixed
    /// with the key, the next bits 2 and 26, up to bits 24 and 48.
    pub(super) fn encrypt(&self, block: u64, salt: u32, times: u32) -> u64 {
        let salt = salt.reverse_bits() >> 8;
        let (mut left, mut right) = halves(permuted(block, 64, &FIRST), 32);
        for _ in 0..times {
            for key in &self.0 {
                (left, right) = (right, left ^ key.mixed_with(right, salt));
            }
            (left, right) = (right, left);
        }
        permuted(u64::from(left) << 32 | u64::from(right), 64, &LAST)
    }
}

impl HalfBlocks {
    fn mixed_with(self, half: u32, salt: u32) -> u32 {
        let wide = Self::expanded(half);
        let exchanged = (wide.high ^ wide.low) & salt;
        let high = wide.high ^ exchanged ^ self.high;
        let low = wide.low ^ exchanged ^ self.low;
        let out = |place: usize, six: u32| SUBSTITUTED[place][(six & 63) as usize];
        let four = |place, half: u32| {
            out(place, half >> 18)
                | out(place + 1, half >> 12)
                | out(place + 2, half >> 6)
                | out(place + 3, half)
        };
        four(0, high) | four(4, low)
    }

    /// Eight groups of six bits, each reaching one bit into its neighbours.
    const fn expanded(half: u32) -> Self {
        let (high, low) = (half.rotate_left(5), half.rotate_left(21));
        Self { high: four_groups(high), low: four_groups(low) }
    }
}

/// The first of the groups stands lowest.
const fn four_groups(half: u32) -> u32 {
    let (first, second) = (half & 63, half.rotate_left(4) & 63);
    let (third, fourth) = (half.rotate_left(8) & 63, half.rotate_left(12) & 63);
    first << 18 | second << 12 | third << 6 | fourth
}

const fn turned(half: u32, turns: u32) -> u32 {
    (half << turns | half >> (28 - turns)) & 0x0fff_ffff
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are masked to 32 bits or less")]
const fn halves(bits: u64, width: u32) -> (u32, u32) {
    let mask = (1 << width) - 1;
    ((bits >> width & mask) as u32, (bits & mask) as u32)
}

/// The bits at these places of a number so many bits wide.
const fn permuted(bits: u64, width: u8, places: &[u8]) -> u64 {
    let (mut found, mut next) = (0, 0);
    while next < places.len() {
        found = found << 1 | bits >> (width - places[next]) & 1;
        next += 1;
    }
    found
}

/// What the eight boxes give for six bits, already moved to where the round wants it.
static SUBSTITUTED: [[u32; 64]; 8] = substituted();

#[expect(clippy::cast_possible_truncation, reason = "the permutation gives 32 bits")]
const fn substituted() -> [[u32; 64]; 8] {
    let mut all = [[0; 64]; 8];
    let mut place = 0;
    while place < 8 {
        let mut six = 0;
        while six < 64 {
            let row = (six >> 4 & 2) | six & 1;
            let four = BOXES[place][row * 16 + (six >> 1 & 15)] as u64;
            all[place][six] = permuted(four << (28 - 4 * place), 32, &ROUND_LAST) as u32;
            six += 1;
        }
        place += 1;
    }
    all
}

const FIRST: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, //
    62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8, //
    57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, //
    61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];

const LAST: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, //
    38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29, //
    36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, //
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];

const ROUND_LAST: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, //
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

const KEY_CHOICE: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, //
    10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, //
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, //
    14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];

const ROUND_KEY_CHOICE: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, //
    26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30, 40, //
    51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

const TURNS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

const BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, //
        0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8, //
        4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, //
        15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, //
        3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5, //
        0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, //
        13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, //
        13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1, //
        13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, //
        1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, //
        13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9, //
        10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, //
        3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, //
        14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6, //
        4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, //
        11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, //
        10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8, //
        9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, //
        4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, //
        13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6, //
        1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, //
        6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, //
        1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2, //
        7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, //
        2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// From FIPS 81 and the usual textbook.
    #[test]
    fn without_salt_it_is_des() {
        let known = [
            (0x0123_4567_89ab_cdef, 0x4e6f_7720_6973_2074, 0x3fa4_0e8a_984d_4815),
            (0x1334_5779_9bbc_dff1, 0x0123_4567_89ab_cdef, 0x85e8_1354_0f0a_b405),
        ];
        for (key, plain, cipher) in known {
            assert_eq!(DesKeys::of(key).encrypt(plain, 0, 1), cipher, "{key:x}");
        }
    }
}
