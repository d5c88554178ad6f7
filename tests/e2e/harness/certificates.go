package harness

// Certificates for tests: a CA and the certificates that it signs, as files for k6.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is a certificate authority with a directory for the files of its certificates.
type Authority struct {
	Pool        *x509.CertPool // contains its certificate
	dir         string
	certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority creates an authority. CAFile contains its certificate.
func NewAuthority(dir string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := &Authority{Pool: x509.NewCertPool(), dir: dir, key: key}
	authority.certificate = &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := authority.sign(authority.certificate, key.Public())
	if err != nil {
		return nil, err
	}
	if authority.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	authority.Pool.AddCert(authority.certificate)
	return authority, authority.write("ca.pem", "CERTIFICATE", der)
}

// CAFile returns the path of the authority's own certificate.
func (a *Authority) CAFile() string { return a.path("ca.pem") }

// Server creates a certificate for 127.0.0.1 that is valid until the given time.
func (a *Authority) Server(until time.Time) (tls.Certificate, error) {
	certificate, key, err := a.ServerFiles(until)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(certificate, key)
}

// ServerFiles creates a certificate as Server does, and returns the files of the certificate and its key.
func (a *Authority) ServerFiles(until time.Time) (certificate, key string, err error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := a.sign(&x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter:    until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, signer.Public())
	if err != nil {
		return "", "", err
	}
	if err := a.write("server.pem", "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return "", "", err
	}
	return a.path("server.pem"), a.path("server.key"), a.write("server.key", "PRIVATE KEY", keyDER)
}

// ClientFiles creates a client certificate, and returns its file and that of its key: a PEM block of keyDER with this label.
func (a *Authority) ClientFiles(public crypto.PublicKey, label string, keyDER []byte) (certificate, key string, err error) {
	der, err := a.sign(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, public)
	if err != nil {
		return "", "", err
	}
	if err := a.write("client.pem", "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	return a.path("client.pem"), a.path("client.key"), a.write("client.key", label, keyDER)
}

func (a *Authority) sign(certificate *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	certificate.SerialNumber = serial
	certificate.Subject = pkix.Name{CommonName: serial.String()}
	certificate.NotBefore = time.Now().Add(-48 * time.Hour)
	if certificate.NotAfter.IsZero() {
		certificate.NotAfter = time.Now().Add(time.Hour)
	}
	return x509.CreateCertificate(rand.Reader, certificate, a.certificate, public, a.key)
}

func (a *Authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *Authority) write(name, label string, der []byte) error {
	return os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600)
}
