use argon2::Block;
use zeroize::Zeroize;

/// Working memory of one thread, kept from hash to hash and wiped at the end.
///
/// Only Argon2 takes its memory from outside; scrypt's crate allocates its own.
#[derive(Default)]
pub(crate) struct Scratch(Vec<Block>);

impl Scratch {
    /// Blocks with any content; `None` if there is not enough memory.
    pub(crate) fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if self.0.len() < count {
            // Growing in place could leave an unwiped copy behind.
            self.0.zeroize();
            self.0 = Vec::new();
            self.0.try_reserve_exact(count).ok()?;
            self.0.resize(count, Block::new());
        }
        self.0.get_mut(..count)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
