//! A site with one account, whose owner has forgotten its password.

use std::{fs, sync::Arc, time::Duration};

use directory::Directory;
use exposure::{AddLeak, EmbeddedDirectory, add_leak, screen_leak, verify_leak};
use instance::Unseen;
use model::{
    Account, AccountId, Credential, NoticeKind, Provenance, Randomness, Secret, StoredHash,
    SubjectId, Timestamp, Verdict,
};
use outbox::Addressee;
use password::{CostLimits, HashForms, Verifier};
use recoveries::Recovery;
use recovery::{
    BoundTo, BreachedList, LengthRules, LinkKey, PasswordPolicy, ResetToken, limits::LINK_LIFETIME,
};
use store::{LinkId, MailedLink, NewRequestedNotice, Tx};

use crate::harness::{Answer, Pages};

pub(crate) const ADDRESS: &str = "jane@example.net";
pub(crate) const USERNAME: &str = "janedoe";
pub(crate) const PASSWORD: &str = "correct horse";

/// Attackers know it.
pub(crate) const BREACHED: &str = "iloveyou forever";

/// Python: `hashlib.pbkdf2_hmac("sha256", b"correct horse", b"saltsaltsalt", 1000)`
const HASH: &str = "pbkdf2_sha256$1000$saltsaltsalt$F7o7+5VTVzFAO998X6s3AHrDsJVdMiIlgndIMe19NvY=";

/// Jane's account, and pages on which she can choose a new password.
pub(crate) struct Jane {
    pub(crate) pages: Pages,
    directory: Arc<dyn Directory>,
}

impl Jane {
    pub(crate) async fn new() -> Self {
        let pages = Pages::open().await;
        let mut tx = pages.store.begin().await.unwrap();
        tx.import_accounts(&[account()]).await.unwrap();
        tx.commit().await.unwrap();
        let directory: Arc<dyn Directory> =
            Arc::new(EmbeddedDirectory::new(pages.store.clone(), pages.site.kind()));
        Self { pages: pages.with_recovery(means(Arc::clone(&directory))), directory }
    }

    /// Makes a leak known in which her password stands.
    pub(crate) async fn expose(&self) {
        let file = self.pages.folder.path().join("leak.txt");
        fs::write(&file, format!("{ADDRESS}:{PASSWORD}\n")).unwrap();
        let (site, accounts) = (&self.pages.site, &*self.directory);
        let leak = AddLeak {
            name: "Books".parse().unwrap(),
            public_name: None,
            date: "2012".parse().unwrap(),
            provenance: Provenance::Confirmed,
            files: vec![file],
            again: false,
        };
        let name = leak.name.clone();
        add_leak(site, leak, Arc::new(Unseen)).await.unwrap();
        screen_leak(site, &name, accounts, Arc::new(Unseen)).await.unwrap();
        verify_leak(site, &name, accounts, Arc::new(verifier()), Arc::new(Unseen)).await.unwrap();
    }

    /// The path of a link that is in her mail.
    pub(crate) async fn link(&self) -> String {
        self.mail_link(1, LINK_LIFETIME).await.1
    }

    /// A link with a token of its own that works for so long, and its path.
    pub(crate) async fn mail_link(&self, seed: u8, lifetime: Duration) -> (LinkId, String) {
        let token = ResetToken::generate(&Always(seed));
        let account = self.account().await;
        let mut tx = self.pages.store.begin().await.unwrap();
        let now = tx.now().await.unwrap();
        let subject = self.subject(&mut tx).await;
        let link = tx.add_reset_link(subject).await.unwrap();
        let bound = self.bound(link, subject, &account, now, now.after(lifetime));
        let key = LinkKey::new(*self.pages.site.keys().link_key());
        let mailed = MailedLink {
            digest: *token.digest(&key).as_bytes(),
            binding: *token.binding(&key, &bound).as_bytes(),
            mailed_at: bound.mailed_at,
            expires_at: bound.expires_at,
            key: self.pages.site.keys().id(),
        };
        tx.mail_reset_link(link, mailed).await.unwrap();
        tx.add_requested_notice(mail(subject, link), now).await.unwrap();
        tx.commit().await.unwrap();
        (link, format!("/reset/{}", *token.to_text()))
    }

    fn bound(
        &self,
        link: LinkId,
        subject: SubjectId,
        account: &Account,
        mailed_at: Timestamp,
        expires_at: Timestamp,
    ) -> BoundTo {
        let site = &self.pages.site;
        let addressee = Addressee::of(site, None, account, true).unwrap();
        BoundTo {
            link: link.0,
            subject,
            version: account.credential.as_ref().unwrap().version(site.keys()),
            address_key: *addressee.key.as_bytes(),
            mailed_at,
            expires_at,
        }
    }

    /// Her account, as the site has it.
    async fn account(&self) -> Account {
        self.directory.by_ids(&[id()]).await.unwrap().remove(0)
    }

    /// Changes what the site has of her.
    pub(crate) async fn change(&self, change: impl FnOnce(Account) -> Account) {
        let changed = change(self.account().await);
        let mut tx = self.pages.store.begin().await.unwrap();
        tx.import_accounts(&[changed]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Her number.
    pub(crate) async fn subject(&self, tx: &mut Tx) -> SubjectId {
        self.pages.site.name_accounts(tx, &[id()]).await.unwrap()[&id()]
    }

    /// Types a new password on the page behind a link, twice.
    pub(crate) async fn choose(&self, link: &str, password: &str) -> Answer {
        self.pages.post(link, &format!("password={password}&again={password}")).await
    }

    /// Whether she can sign in with a password.
    pub(crate) async fn signs_in(&self, password: &str) -> bool {
        let now = self.account().await.credential.unwrap();
        let verdict = verifier().verify(now.hash(), &[Secret::from(password.as_bytes())]).verdict;
        matches!(verdict, Verdict::Match { secret: 0, .. })
    }
}

fn id() -> AccountId {
    AccountId::new("1").unwrap()
}

fn account() -> Account {
    Account {
        id: id(),
        email: Some(ADDRESS.to_owned()),
        username: Some(USERNAME.to_owned()),
        credential: StoredHash::from_column(Some(HASH.to_owned())).map(Credential::from),
        hash_changed_at: None,
        email_verified: Some(true),
        locale: None,
        last_login_at: None,
        second_factor: None,
        active: None,
        other_emails: Vec::new(),
        unreadable: None,
    }
}

fn means(directory: Arc<dyn Directory>) -> Recovery {
    let breached = BreachedList::from_iter([Secret::from(BREACHED.as_bytes())]);
    let policy = PasswordPolicy::new(Box::new(breached));
    let verifier = Arc::new(verifier());
    let lengths = LengthRules::default();
    Recovery::new(directory, verifier, policy, lengths, None, "Example".to_owned(), 1)
}

fn verifier() -> Verifier {
    Verifier::new(CostLimits::default(), HashForms::known())
}

fn mail(subject: SubjectId, link: LinkId) -> NewRequestedNotice {
    NewRequestedNotice {
        kind: NoticeKind::ResetLink,
        subject,
        link: Some(link),
        language: "en".to_owned(),
        address_key: [0; 32],
        source: Some([0; 32]),
        wrapped_key: Vec::new(),
        kept: Vec::new(),
    }
}

/// Draws one byte again and again.
struct Always(u8);

impl Randomness for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}
