# Mail::DKIM's verdict on signed messages, without DNS.
#
#     dkim_judge.pl DEBIAN RECORD MESSAGES
#
# DEBIAN is the folder with Debian's packages, RECORD the file with what DNS would say of every key.
# Prints one line for each file in the folder MESSAGES, in the order of their names: `pass`, or what
# else Mail::DKIM says.
use strict;
use warnings;
use Config;

BEGIN {
    my $debian = shift @ARGV;
    unshift @INC, map { "$debian$_" } @Config{qw(vendorlib vendorarch)};
}

use Mail::DKIM::Verifier;

my ($record, $messages) = @ARGV;

no warnings 'redefine';
local *Mail::DKIM::DNS::query_async = sub {
    my ($name, $type, %options) = @_;
    my $answer = Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => contents($record));
    my $found  = $options{Callbacks}{Success}->($answer);
    return sub { $found };
};

for my $message (sort glob "$messages/*") {
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT(contents($message));
    $verifier->CLOSE;
    print $verifier->result_detail, "\n";
}

sub contents {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return <$file>;
}
