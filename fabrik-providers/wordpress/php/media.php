
// Images and other files of the media library. A file is known by its content: its slug says which.

function fabrik_media_row( $id ) {
	$post = get_post( (int) $id );
	if ( ! $post || 'attachment' !== $post->post_type || 'trash' === $post->post_status ) {
		return null;
	}
	$meta = wp_get_attachment_metadata( $post->ID );
	$row  = array(
		'id'      => (string) $post->ID,
		'slug'    => $post->post_name,
		'title'   => $post->post_title,
		'caption' => $post->post_excerpt,
		'alt'     => (string) get_post_meta( $post->ID, '_wp_attachment_image_alt', true ),
		'file'    => (string) get_post_meta( $post->ID, '_wp_attached_file', true ),
		'mime'    => $post->post_mime_type,
		'width'   => (int) ( $meta['width'] ?? 0 ),
		'height'  => (int) ( $meta['height'] ?? 0 ),
		'sha256'  => (string) get_post_meta( $post->ID, '_fabrik_sha256', true ),
	);
	return $row + array( 'hash' => Fabrik::hash( $row ), 'url' => (string) wp_get_attachment_url( $post->ID ), 'there' => is_file( (string) get_attached_file( $post->ID ) ) );
}

function fabrik_media( $op ) {
	global $wpdb;
	if ( 'list' === $op['do'] ) {
		$ids = $wpdb->get_col( "SELECT ID FROM {$wpdb->posts} WHERE post_type = 'attachment' ORDER BY ID LIMIT 5000" );
		return array_values( array_filter( array_map( 'fabrik_media_row', $ids ) ) );
	}
	if ( 'find' === $op['do'] ) {
		$id = $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM {$wpdb->posts} WHERE post_type = 'attachment' AND post_name = %s ORDER BY ID LIMIT 1", $op['slug'] ) );
		return $id ? fabrik_media_row( $id ) : null;
	}
	if ( 'read' === $op['do'] ) {
		return fabrik_media_row( $op['id'] );
	}
	if ( 'delete' === $op['do'] ) {
		$row = fabrik_media_row( $op['id'] );
		if ( $row ) {
			$folder = dirname( (string) get_attached_file( (int) $op['id'] ) );
			if ( ! wp_delete_attachment( (int) $op['id'], true ) ) {
				Fabrik::refuse( 'refused', 'the file cannot be deleted' );
			}
			fabrik_empty_folders( $folder );
		}
		return null;
	}
	require_once ABSPATH . 'wp-admin/includes/image.php';
	require_once ABSPATH . 'wp-admin/includes/file.php';
	require_once ABSPATH . 'wp-admin/includes/media.php';
	$fields = array( 'post_title' => $op['title'], 'post_excerpt' => $op['caption'] );
	if ( 'update' === $op['do'] ) {
		$before = fabrik_media_row( $op['id'] );
		if ( ! $before ) {
			Fabrik::refuse( 'gone', 'the image is gone' );
		}
		Fabrik::checked( wp_update_post( wp_slash( $fields + array( 'ID' => (int) $op['id'] ) ), true ) );
		$id = (int) $op['id'];
	} else {
		$before = null;
		$bytes  = base64_decode( $op['bytes'] );
		if ( hash( 'sha256', $bytes ) !== $op['sha256'] ) {
			Fabrik::refuse( 'refused', 'the file was damaged on its way' );
		}
		$type = wp_check_filetype( $op['name'] );
		if ( ! $type['type'] || $type['type'] !== $op['mime'] ) {
			Fabrik::refuse( 'refused', 'WordPress does not allow files of this type: ' . $op['name'], array( 'field' => 'name' ) );
		}
		$made = wp_upload_bits( $op['name'], null, $bytes );
		if ( ! empty( $made['error'] ) ) {
			Fabrik::refuse( 'refused', wp_strip_all_tags( $made['error'] ) );
		}
		$folder = dirname( $made['file'] );
		try {
			$id = Fabrik::checked( wp_insert_attachment( wp_slash( $fields + array( 'post_name' => $op['slug'], 'post_mime_type' => $op['mime'], 'post_status' => 'inherit', 'guid' => $made['url'] ) ), $made['file'], 0, true ) );
			wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $made['file'] ) );
			update_post_meta( $id, '_fabrik_sha256', $op['sha256'] );
			if ( get_post( $id )->post_name !== $op['slug'] ) {
				Fabrik::refuse( 'taken', $op['slug'] );
			}
		} catch ( Throwable $error ) {
			// The transaction takes the rows back; files are ours to remove.
			if ( ! empty( $id ) && ! is_wp_error( $id ) ) {
				wp_delete_attachment( $id, true );
			}
			if ( is_file( $made['file'] ) ) {
				unlink( $made['file'] );
			}
			fabrik_empty_folders( $folder );
			throw $error;
		}
	}
	if ( '' === $op['alt'] ) {
		delete_post_meta( $id, '_wp_attachment_image_alt' );
	} else {
		update_post_meta( $id, '_wp_attachment_image_alt', wp_slash( $op['alt'] ) );
	}
	clean_post_cache( $id );
	$row = fabrik_media_row( $id );
	Fabrik::same( 'title', $op['title'], $row['title'] );
	Fabrik::same( 'caption', $op['caption'], $row['caption'] );
	Fabrik::same( 'alt', $op['alt'], $row['alt'] );
	return $row + array( 'before' => $before );
}

/** Folders of a month and a year in which nothing is left. */
function fabrik_empty_folders( $folder ) {
	$uploads = wp_get_upload_dir();
	$base    = untrailingslashit( $uploads['basedir'] );
	while ( 0 === strpos( $folder, $base . '/' ) && is_dir( $folder ) && count( scandir( $folder ) ) === 2 ) {
		rmdir( $folder );
		$folder = dirname( $folder );
	}
}
Fabrik::handler( 'media', 'fabrik_media' );
