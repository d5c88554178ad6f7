package main

// Tests of the files against Grafana's schema, as far as the types of its SDK have it.

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// againstSchema returns what of a file Grafana's types do not know, do not allow, or lack.
func againstSchema(data []byte) error {
	var strict dashboard.Dashboard
	if err := strict.UnmarshalJSONStrict(data); err != nil && err.Error() != "" { // a list, and never nil
		return err
	}
	// Strict decoding skips some objects, but what is not known there is not written again.
	var read dashboard.Dashboard
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	if err := read.Validate(); err != nil {
		return err
	}
	written, err := json.Marshal(read)
	if err != nil {
		return err
	}
	var before, after any
	if err := errors.Join(json.Unmarshal(data, &before), json.Unmarshal(written, &after)); err != nil {
		return err
	}
	if !reflect.DeepEqual(before, after) {
		return errors.New("a value is unknown to Grafana's types, or changed by them")
	}
	return nil
}

func TestTheFilesMeetTheSchema(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, builder := range all() {
		data, err := file(builder)
		if err != nil {
			t.Fatal(err)
		}
		if err := againstSchema(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unchecked matches the objects in which the schema allows any field: options of transformations, values of overrides, and
// queries of variables.
var unchecked = regexp.MustCompile(`\.transformations\[\d+\]\.options|\.overrides\[\d+\]\.properties\[\d+\]\.value|\.list\[\d+\]\.query$`)

func TestAnUnknownFieldOfAnyObjectDoesNotMeetTheSchema(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	data, err := file(outputHealth()) // has each kind of object
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	eachObject("", document, func(path string, object map[string]any) {
		object["unknownField"] = 1
		changed, err := json.Marshal(document)
		delete(object, "unknownField")
		if err != nil {
			t.Fatal(err)
		}
		if againstSchema(changed) == nil && !unchecked.MatchString(path) {
			t.Errorf("an unknown field in %s is not found", path)
		}
	})
}

// eachObject calls a function for each JSON object in a value.
func eachObject(path string, value any, call func(path string, object map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		call(path, value)
		for name, field := range value {
			eachObject(path+"."+name, field, call)
		}
	case []any:
		for i, element := range value {
			eachObject(fmt.Sprintf("%s[%d]", path, i), element, call)
		}
	}
}
