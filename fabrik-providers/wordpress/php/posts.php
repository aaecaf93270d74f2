
// Pages, posts, forms, menus of block themes: rows of the table of posts with their meta and terms.

function fabrik_post_raw( $id, $op ) {
	clean_post_cache( (int) $id );
	$post = get_post( (int) $id );
	if ( ! $post || $post->post_type !== $op['type'] || 'trash' === $post->post_status || 'auto-draft' === $post->post_status ) {
		return null;
	}
	$raw = array(
		'id'        => (string) $post->ID,
		'type'      => $post->post_type,
		'slug'      => urldecode( $post->post_name ),
		'title'     => $post->post_title,
		'status'    => $post->post_status,
		'parent'    => (string) $post->post_parent,
		'content'   => $post->post_content,
		'excerpt'   => $post->post_excerpt,
		'order'     => (int) $post->menu_order,
		'author'    => (string) $post->post_author,
		'date'      => $post->post_date_gmt,
		'template'  => (string) get_post_meta( $post->ID, '_wp_page_template', true ),
		'thumbnail' => (string) get_post_meta( $post->ID, '_thumbnail_id', true ),
	);
	foreach ( array( 'category', 'post_tag' ) as $taxonomy ) {
		if ( is_object_in_taxonomy( $post->post_type, $taxonomy ) ) {
			$terms = wp_get_object_terms( $post->ID, $taxonomy, array( 'orderby' => 'term_id' ) );
			$terms = is_wp_error( $terms ) ? array() : $terms;
			$raw[ $taxonomy ] = array();
			foreach ( $terms as $term ) {
				$raw[ $taxonomy ][] = 'category' === $taxonomy ? (string) $term->term_id : html_entity_decode( $term->name, ENT_QUOTES );
			}
		}
	}
	foreach ( (array) ( $op['meta'] ?? array() ) as $key ) {
		$raw['meta'][ $key ] = metadata_exists( 'post', $post->ID, $key ) ? get_post_meta( $post->ID, $key, true ) : null;
	}
	$raw['url']      = (string) get_permalink( $post );
	$raw['path']     = Fabrik::path( $raw['url'] );
	$raw['modified'] = $post->post_modified_gmt;
	// Not to be computed from the other: the time zone may have changed since.
	$raw['modified_here'] = $post->post_modified;
	$raw['mark']     = (string) get_post_meta( $post->ID, '_fabrik', true );
	if ( 'wpcf7_contact_form' === $post->post_type ) {
		$hash = (string) get_post_meta( $post->ID, '_hash', true );
		$raw['shortcode'] = sprintf( '[contact-form-7 id="%1$s" title="%2$s"]', $hash ? substr( $hash, 0, 7 ) : $post->ID, str_replace( array( '"', '[', ']' ), '', $post->post_title ) );
	}
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw;
}

/** The post of a slug, where there is one. */
function fabrik_post_of_slug( $type, $slug, $parent, $but ) {
	global $wpdb;
	return $wpdb->get_var( $wpdb->prepare(
		"SELECT ID FROM {$wpdb->posts} WHERE post_name = %s AND post_type = %s AND post_parent = %d AND ID <> %d AND post_status NOT IN ('trash', 'auto-draft', 'inherit') ORDER BY ID LIMIT 1",
		$slug, $type, $parent, $but
	) );
}

/** The fields of a row from those of an operation. */
function fabrik_post_row( $set ) {
	$columns = array(
		'slug' => 'post_name', 'title' => 'post_title', 'status' => 'post_status', 'parent' => 'post_parent',
		'content' => 'post_content', 'excerpt' => 'post_excerpt', 'order' => 'menu_order', 'author' => 'post_author',
	);
	$row = array();
	foreach ( $columns as $field => $column ) {
		if ( array_key_exists( $field, $set ) ) {
			$row[ $column ] = $set[ $field ];
		}
	}
	if ( isset( $set['date'] ) ) {
		$row['post_date_gmt'] = $set['date'];
		$row['post_date']     = get_date_from_gmt( $set['date'] );
		$row['edit_date']     = true;
	}
	return $row;
}

function fabrik_post_meta( $id, $key, $value ) {
	if ( null === $value || '' === $value ) {
		delete_post_meta( $id, $key );
	} else {
		update_post_meta( $id, $key, wp_slash( $value ) );
	}
}

/** What is no column: template, image, terms, meta. */
function fabrik_post_rest( $id, $op, $set ) {
	foreach ( array( 'template' => '_wp_page_template', 'thumbnail' => '_thumbnail_id' ) as $field => $key ) {
		if ( array_key_exists( $field, $set ) ) {
			fabrik_post_meta( $id, $key, '0' === (string) $set[ $field ] ? '' : $set[ $field ] );
		}
	}
	if ( array_key_exists( 'category', $set ) ) {
		$ids = array_map( 'intval', $set['category'] );
		foreach ( $ids as $term ) {
			if ( ! term_exists( $term, 'category' ) ) {
				Fabrik::refuse( 'missing', 'there is no category ' . $term, array( 'field' => 'categories' ) );
			}
		}
		Fabrik::checked( wp_set_object_terms( $id, $ids, 'category' ) );
	}
	if ( array_key_exists( 'post_tag', $set ) ) {
		$known = array_filter( $set['post_tag'], function ( $name ) {
			return term_exists( $name, 'post_tag' );
		} );
		Fabrik::checked( wp_set_object_terms( $id, $set['post_tag'], 'post_tag' ) );
		foreach ( array_diff( $set['post_tag'], $known ) as $name ) {
			$made = term_exists( $name, 'post_tag' );
			if ( $made ) {
				update_term_meta( (int) $made['term_id'], '_fabrik', $op['op'] );
			}
		}
	}
	foreach ( (array) ( $set['meta'] ?? array() ) as $key => $value ) {
		if ( '_messages' === $key && is_array( $value ) && function_exists( 'wpcf7_messages' ) ) {
			$value += array_map( function ( $message ) {
				return $message['default'] ?? '';
			}, wpcf7_messages() );
		}
		fabrik_post_meta( $id, $key, $value );
	}
}

/** The tags of a post that were made with one. */
function fabrik_post_tags( $id, $type ) {
	$tags = 'post' === $type ? wp_get_object_terms( (int) $id, 'post_tag' ) : array();
	return array_filter( is_wp_error( $tags ) ? array() : $tags, function ( $tag ) {
		return '' === $tag->description && metadata_exists( 'term', $tag->term_id, '_fabrik' );
	} );
}

/** Takes away those of the tags that no post has any more. */
function fabrik_post_untag( $tags ) {
	foreach ( $tags as $tag ) {
		if ( ! get_objects_in_term( $tag->term_id, 'post_tag' ) ) {
			Fabrik::checked( wp_delete_term( $tag->term_id, 'post_tag' ) );
		}
	}
}

function fabrik_post_refers( $set, $type ) {
	if ( ! empty( $set['parent'] ) && ! get_post( (int) $set['parent'] ) ) {
		Fabrik::refuse( 'missing', 'there is no page ' . $set['parent'], array( 'field' => 'parent' ) );
	}
	if ( ! empty( $set['thumbnail'] ) && 'attachment' !== get_post_type( (int) $set['thumbnail'] ) ) {
		Fabrik::refuse( 'missing', 'there is no image ' . $set['thumbnail'], array( 'field' => 'featured_media' ) );
	}
	if ( ! empty( $set['template'] ) ) {
		$known = wp_get_theme()->get_page_templates( null, $type );
		if ( ! isset( $known[ $set['template'] ] ) ) {
			Fabrik::refuse( 'template', $set['template'], array( 'field' => 'template', 'known' => array_keys( $known ) ) );
		}
	}
	if ( ! empty( $set['author'] ) && ! get_userdata( (int) $set['author'] ) ) {
		Fabrik::refuse( 'missing', 'there is no user ' . $set['author'], array( 'field' => 'author' ) );
	}
}

/** Refuses a slug that WordPress would silently make another of. */
function fabrik_post_slug( $type, $slug, $parent, $but, $status ) {
	$taken = fabrik_post_of_slug( $type, $slug, $parent, $but );
	if ( $taken ) {
		Fabrik::refuse( 'taken', (string) $taken, array( 'field' => 'slug' ) );
	}
	$would = wp_unique_post_slug( $slug, $but, $status, $type, $parent );
	if ( $would !== $slug ) {
		Fabrik::refuse( 'slug', $would, array( 'field' => 'slug' ) );
	}
}

/** Reads back: every field that was sent is there as it was sent. */
function fabrik_post_check( $raw, $set ) {
	foreach ( array( 'slug', 'status', 'content', 'excerpt', 'template' ) as $field ) {
		if ( array_key_exists( $field, $set ) && 'future' !== $raw['status'] ) {
			Fabrik::same( $field, (string) $set[ $field ], (string) $raw[ $field ] );
		}
	}
	foreach ( array( 'parent', 'thumbnail', 'author' ) as $field ) {
		if ( array_key_exists( $field, $set ) ) {
			Fabrik::same( $field, (int) $set[ $field ], (int) $raw[ $field ] );
		}
	}
	if ( array_key_exists( 'title', $set ) ) {
		Fabrik::same( 'title', trim( $set['title'] ), $raw['title'] );
	}
}

function fabrik_post( $op ) {
	$type = $op['type'];
	switch ( $op['do'] ) {
		case 'read':
			return fabrik_post_raw( $op['id'], $op );
		case 'list':
			$found = get_posts( array( 'post_type' => $type, 'post_status' => array( 'publish', 'draft', 'private', 'pending', 'future' ), 'numberposts' => -1, 'orderby' => 'ID', 'order' => 'ASC', 'fields' => 'ids', 'suppress_filters' => true ) );
			$rows  = array();
			foreach ( $found as $id ) {
				$rows[] = fabrik_post_raw( $id, $op );
			}
			return array_values( array_filter( $rows ) );
		case 'create':
			$set = $op['set'];
			if ( ! post_type_exists( $type ) ) {
				Fabrik::refuse( 'no_type', $type );
			}
			fabrik_post_refers( $set, $type );
			if ( isset( $set['slug'] ) ) {
				fabrik_post_slug( $type, $set['slug'], (int) ( $set['parent'] ?? 0 ), 0, $set['status'] ?? 'publish' );
			}
			$bin = isset( $op['undoes'] ) ? fabrik_bin_take( $type . '/' . ( $set['parent'] ?? 0 ) . '/' . ( $set['slug'] ?? '' ) ) : null;
			if ( $bin ) {
				$id = fabrik_post_revive( $bin );
			} else {
				$id = Fabrik::checked( wp_insert_post( wp_slash( array( 'post_type' => $type ) + fabrik_post_row( $set ) ), true ) );
			}
			fabrik_post_rest( $id, $op, $set );
			if ( ! $bin ) {
				update_post_meta( $id, '_fabrik', $op['op'] );
				if ( 'wpcf7_contact_form' === $type ) {
					update_post_meta( $id, '_hash', sha1( $op['op'] ) );
					update_post_meta( $id, '_locale', get_locale() );
				}
			}
			$raw = fabrik_post_raw( $id, $op );
			if ( ! $bin ) {
				fabrik_post_check( $raw, $set );
			}
			return $raw;
		case 'update':
			$before = fabrik_post_raw( $op['id'], $op );
			if ( null === $before ) {
				Fabrik::refuse( 'gone', $type . ' ' . $op['id'] . ' is gone' );
			}
			Fabrik::expect( $op, $before );
			$set = array();
			foreach ( $op['set'] as $field => $value ) {
				if ( 'meta' === $field || ! array_key_exists( $field, $before ) || (string) wp_json_encode( $before[ $field ] ) !== (string) wp_json_encode( $value ) ) {
					$set[ $field ] = $value;
				}
			}
			fabrik_post_refers( $set, $type );
			if ( isset( $set['slug'] ) || isset( $set['parent'] ) ) {
				fabrik_post_slug( $type, $set['slug'] ?? $before['slug'], (int) ( $set['parent'] ?? $before['parent'] ), (int) $op['id'], $set['status'] ?? $before['status'] );
			}
			$tags = array_key_exists( 'post_tag', $set ) ? fabrik_post_tags( $op['id'], $type ) : array();
			$row = fabrik_post_row( $set );
			if ( $row ) {
				Fabrik::checked( wp_update_post( wp_slash( array( 'ID' => (int) $op['id'] ) + $row ), true ) );
			}
			fabrik_post_rest( (int) $op['id'], $op, $set );
			fabrik_post_untag( $tags );
			if ( isset( $op['modified'] ) ) {
				fabrik_post_modified( (int) $op['id'], $op['modified'], $op['modified_here'] ?? null );
			}
			$raw = fabrik_post_raw( $op['id'], $op );
			fabrik_post_check( $raw, $set );
			return $raw + array( 'before' => $before );
		case 'delete':
			$before = fabrik_post_raw( $op['id'], $op );
			if ( $before ) {
				fabrik_bin_put( $type . '/' . $before['parent'] . '/' . $before['slug'], (int) $op['id'] );
				$tags = fabrik_post_tags( $op['id'], $type );
				if ( ! wp_delete_post( (int) $op['id'], true ) ) {
					Fabrik::refuse( 'refused', 'WordPress did not delete ' . $type . ' ' . $op['id'] );
				}
				fabrik_post_untag( $tags );
			}
			return array( 'id' => (string) $op['id'], 'gone' => true );
	}
}

function fabrik_post_modified( $id, $gmt, $here ) {
	global $wpdb;
	$wpdb->update( $wpdb->posts, array( 'post_modified_gmt' => $gmt, 'post_modified' => $here ?? get_date_from_gmt( $gmt ) ), array( 'ID' => $id ) );
	clean_post_cache( $id );
}

// What was deleted is kept for a while, so that a rollback brings it back as it was.

function fabrik_bin_put( $key, $id ) {
	global $wpdb;
	$row  = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->posts} WHERE ID = %d", $id ), ARRAY_A );
	$meta = $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value FROM {$wpdb->postmeta} WHERE post_id = %d ORDER BY meta_id", $id ), ARRAY_A );
	$one  = array( 'row' => $row, 'meta' => $meta );
	unset( Fabrik::$journal['bin'][ $key ] );
	if ( strlen( wp_json_encode( $one ) ) < 262144 ) {
		Fabrik::$journal['bin'][ $key ] = $one;
	}
}

function fabrik_bin_take( $key ) {
	$found = Fabrik::$journal['bin'][ $key ] ?? null;
	unset( Fabrik::$journal['bin'][ $key ] );
	return $found;
}

function fabrik_post_revive( $bin ) {
	global $wpdb;
	$row  = $bin['row'];
	$id   = Fabrik::checked( wp_insert_post( wp_slash( array( 'import_id' => (int) $row['ID'] ) + array_diff_key( $row, array( 'ID' => 1, 'guid' => 1 ) ) ), true ) );
	$same = array_diff_key( $row, array( 'ID' => 1 ) );
	$wpdb->update( $wpdb->posts, $same, array( 'ID' => $id ) );
	$wpdb->delete( $wpdb->postmeta, array( 'post_id' => $id ) );
	foreach ( $bin['meta'] as $meta ) {
		$wpdb->insert( $wpdb->postmeta, array( 'post_id' => $id ) + $meta );
	}
	clean_post_cache( $id );
	return $id;
}

Fabrik::handler( 'post', 'fabrik_post' );

// Some meta of a post, apart from the post itself.

function fabrik_meta_raw( $op ) {
	$post = get_post( (int) $op['post'] );
	if ( ! $post || 'trash' === $post->post_status ) {
		return null;
	}
	wp_cache_delete( $post->ID, 'post_meta' );
	$values = array();
	foreach ( $op['keys'] as $key ) {
		$values[] = metadata_exists( 'post', $post->ID, $key ) ? array( 'value' => get_post_meta( $post->ID, $key, true ) ) : null;
	}
	$raw         = array( 'id' => (string) $op['id'], 'values' => $values );
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw;
}

function fabrik_meta( $op ) {
	$before = fabrik_meta_raw( $op );
	if ( 'read' === $op['do'] ) {
		return $before;
	}
	if ( null === $before ) {
		if ( 'delete' === $op['do'] ) {
			return array( 'id' => (string) $op['post'], 'gone' => true );
		}
		Fabrik::refuse( 'missing', 'there is no page ' . $op['post'], array( 'field' => 'page' ) );
	}
	Fabrik::expect( $op, $before );
	foreach ( $op['set'] as $at => $entry ) {
		if ( null === $entry ) {
			continue;
		}
		$found = $before['values'][ $at ];
		if ( array_key_exists( 'if', $entry ) && ! ( $found && fabrik_option_same( $entry['if'], $found['value'] ) ) ) {
			continue;
		}
		if ( array_key_exists( 'value', $entry ) ) {
			update_post_meta( (int) $op['post'], $op['keys'][ $at ], wp_slash( $entry['value'] ) );
		} else {
			delete_post_meta( (int) $op['post'], $op['keys'][ $at ] );
		}
	}
	$raw = fabrik_meta_raw( $op );
	foreach ( $op['set'] as $at => $entry ) {
		if ( $entry && array_key_exists( 'value', $entry ) && ! array_key_exists( 'if', $entry ) && ! ( $raw['values'][ $at ] && fabrik_option_same( $entry['value'], $raw['values'][ $at ]['value'] ) ) ) {
			Fabrik::refuse( 'altered', $op['keys'][ $at ], array( 'field' => $op['keys'][ $at ] ) );
		}
	}
	return $raw + array( 'before' => $before );
}

Fabrik::handler( 'meta', 'fabrik_meta' );
