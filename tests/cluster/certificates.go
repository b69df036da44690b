package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs the certificates by which the parts of a cluster know one another. Its files lie in dir.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// lifetime is longer than any test, and too short for anything else.
const lifetime = 24 * time.Hour

// newAuthority makes one, with its certificate in `ca.crt`.
func newAuthority(dir string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := newKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	template := template("shopmicro-tests", nil)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{dir, certificate, key}, writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", der)
}

// issue makes `NAME.crt` and `NAME.key` for who is called commonName and belongs to groups; hosts are the names and
// addresses under which it serves.
func (a *authority) issue(name, commonName string, groups []string, hosts ...string) error {
	key, err := newKey(a.path(name + ".key"))
	if err != nil {
		return err
	}
	template := template(commonName, groups)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePEM(a.path(name+".crt"), "CERTIFICATE", der)
}

// client makes a certificate and the `NAME.conf` by which kubectl and the cluster's own parts use it at server.
func (a *authority) client(server, name, commonName string, groups ...string) error {
	if err := a.issue(name, commonName, groups); err != nil {
		return err
	}
	return os.WriteFile(a.path(name+".conf"), fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: tests, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: %s, user: {client-certificate: %q, client-key: %q}}]
contexts: [{name: tests, context: {cluster: tests, user: %s}}]
current-context: tests
`, server, a.path("ca.crt"), name, a.path(name+".crt"), a.path(name+".key"), name), 0o600)
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func template(commonName string, groups []string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		// Since Go 1.24 the source of randomness does not fail.
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName, Organization: groups},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(lifetime),
	}
}

// newKey writes a new private key to path. Beside it lies the public one, as `PATH.pub`, for what is no certificate.
func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if err := writePEM(path, "EC PRIVATE KEY", private); err != nil {
		return nil, err
	}
	return key, writePEM(path+".pub", "PUBLIC KEY", public)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
