-- Whether a campaign is about a stored password, whoever's it is said to be.
CREATE INDEX target_by_version ON target (version) WHERE open AND state = 'pending';
