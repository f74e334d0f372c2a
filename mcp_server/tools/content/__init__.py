"""What a handler can return beside plain values: text, images, sound, links, embedded resources."""
