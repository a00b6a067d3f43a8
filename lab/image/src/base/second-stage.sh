# Runs inside the unpacked root file system: lets the packages configure themselves.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
install() { dpkg --force-depends --install "$@"; }
# These lay out users and folders that the others' scripts rely on.
install "$DEBS"/base-passwd_*.deb "$DEBS"/base-files_*.deb
install "$DEBS"/libc6_*.deb "$DEBS"/dpkg_*.deb "$DEBS"/perl-base_*.deb "$DEBS"/mawk_*.deb "$DEBS"/debconf_*.deb
dpkg --force-depends --unpack "$DEBS"/*.deb
dpkg --force-depends --force-configure-any --configure --pending
dpkg --audit
rm -rf "$DEBS" /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
rm -f /var/log/dpkg.log /var/log/bootstrap.log /var/log/alternatives.log /var/log/apt/*.log
: > /etc/machine-id
