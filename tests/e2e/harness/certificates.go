package harness

// Certificates for tests: a CA and the certificates that it signs, as files for k6.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
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
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
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

// Own returns the authority's own certificate for a server at 127.0.0.1, and its file.
func (a *Authority) Own() (tls.Certificate, string, error) {
	keyDER, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	if err := a.write("ca.key", "PRIVATE KEY", keyDER); err != nil {
		return tls.Certificate{}, "", err
	}
	certificate, err := tls.LoadX509KeyPair(a.CAFile(), a.path("ca.key"))
	return certificate, a.CAFile(), err
}

// ServerName is the name that server certificates have beside 127.0.0.1. It is not resolved.
const ServerName = "named.test"

// Server creates a certificate for 127.0.0.1 and ServerName that is valid until the given time.
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
		DNSNames:    []string{ServerName},
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

// ToVersion1 makes the certificate in a file one of X.509 version 1, without extensions, as "openssl x509 -req" makes them.
func (a *Authority) ToVersion1(certificate string) error {
	text, err := os.ReadFile(certificate)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	var fields []asn1.RawValue
	if _, err := asn1.Unmarshal(parsed.RawTBSCertificate, &fields); err != nil {
		return err
	}
	// The version and the extensions.
	fields = slices.DeleteFunc(fields, func(field asn1.RawValue) bool { return field.Class == asn1.ClassContextSpecific })
	signed, err := asn1.Marshal(fields)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(signed)
	signature, err := a.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return err
	}
	der, err := asn1.Marshal(struct {
		Signed    asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: signed},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, // ECDSA with SHA-256
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		return err
	}
	return a.write(filepath.Base(certificate), "CERTIFICATE", der)
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
