// Reads a tlog-proof as strangers do: golang.org/x/mod/sumdb for notes and trees, torchwood for the proof's text.
//
//	tlog-reader VKEY < FILE.tlog-proof
//
// The same file is judged twice: by torchwood alone, and by a reader of our own making that knows nothing but the
// C2SP page and the two packages of x/mod. Exit code 0: both accept. 1: both refuse. 3: they disagree.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: tlog-reader VKEY < FILE.tlog-proof")
		os.Exit(2)
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	byTorchwood, bySumdb := withTorchwood(data, verifier), withSumdb(data, verifier)
	fmt.Printf("torchwood: %v\nsumdb: %v\n", byTorchwood, bySumdb)
	switch {
	case (byTorchwood == nil) != (bySumdb == nil):
		os.Exit(3)
	case byTorchwood != nil:
		os.Exit(1)
	}
}

func withTorchwood(data []byte, verifier note.Verifier) error {
	record, err := torchwood.ProofExtraData(data)
	if err != nil {
		return err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
	return torchwood.VerifyProof(policy, tlog.RecordHash(record), data)
}

func withSumdb(data []byte, verifier note.Verifier) error {
	head, signed, found := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof with extra data")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	number, isIndex := strings.CutPrefix(lines[2], "index ")
	if !isExtra || !isIndex {
		return errors.New("no extra or no index")
	}
	record, err := base64.StdEncoding.DecodeString(extra)
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	origin, size, root, err := checkpoint(opened.Text)
	if err != nil {
		return err
	}
	if origin != verifier.Name() {
		return fmt.Errorf("origin %q", origin)
	}
	return tlog.CheckRecord(path, size, root, index, tlog.RecordHash(record))
}

// checkpoint reads the three lines of a C2SP checkpoint.
func checkpoint(text string) (string, int64, tlog.Hash, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return "", 0, tlog.Hash{}, errors.New("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return "", 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return lines[0], size, root, err
}
