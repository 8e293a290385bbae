# Runs a program in PHP or Ruby where Debian's packages are unpacked below a folder, or installed:
# FOLDER LANGUAGE PROGRAM ARGUMENTS...
tree=$1 language=$2
shift 2

joined() {
    IFS=:
    echo "$*"
}

case $language in
php)
    # Whatever the host has, its own configuration loads.
    for module in "$tree"/usr/lib/php/*/mbstring.so "$tree"/usr/lib/php/*/pdo_sqlite.so; do
        [ ! -e "$module" ] || set -- -d "extension=$module" "$@"
    done
    exec php -d "include_path=$tree/usr/share/php:/usr/share/php" "$@"
    ;;
ruby)
    ruby=$tree/usr/bin/ruby
    [ -e "$ruby" ] || ruby=ruby
    RUBYLIB=$(joined "$tree"/usr/lib/ruby/vendor_ruby "$tree"/usr/lib/ruby/3* \
        "$tree"/usr/lib/*/ruby/vendor_ruby/3* "$tree"/usr/lib/*/ruby/3*)
    GEM_PATH=$(joined "$tree"/usr/share/rubygems-integration/* "$tree"/usr/lib/*/rubygems-integration/3* \
        "$tree"/usr/lib/ruby/gems/3* /usr/share/rubygems-integration/* /usr/lib/*/rubygems-integration/3*)
    export RUBYLIB GEM_PATH
    exec "$ruby" "$@"
    ;;
esac
